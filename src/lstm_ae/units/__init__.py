"""How a table is cut into windows and scaled, and brought back to its units."""
