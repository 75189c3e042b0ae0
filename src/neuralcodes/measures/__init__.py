"""What is measured of checkpoints: one declaration a file, from its inputs to its rows."""
