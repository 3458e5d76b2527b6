"""Who is who: identifiers, claims and ownership periods."""
