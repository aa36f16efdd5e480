"""The calorimeter's commands, known to the command line by entry points."""
