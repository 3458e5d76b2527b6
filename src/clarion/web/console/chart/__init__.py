"""Charts, drawn here as SVG; beside each stand the same numbers as a table."""
