"""Where rows live: one schema, one set of statements, two databases."""
