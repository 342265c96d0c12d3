"""A trained model as a folder: what it answers, and how far its errors reach."""
