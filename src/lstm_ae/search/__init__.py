"""Hyperparameters by Optuna, in one process after another or shared by machines."""
