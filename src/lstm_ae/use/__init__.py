"""What a person does with a table of their own and with a trained model."""
