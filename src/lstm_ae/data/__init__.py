"""Raw bytes become splits, a module for each kind of data set."""
