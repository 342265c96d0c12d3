"""Raw bytes to sequences, and back to units."""
