"""Taking results elsewhere: outcomes as tables, trained weights, saved models and their cards."""
