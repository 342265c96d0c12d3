"""LSTM autoencoders: a code of fixed size for sequences, and the study of how good it is."""
