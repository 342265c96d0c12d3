"""The autoencoder: its layers, its objectives, the device it runs on, its files."""
