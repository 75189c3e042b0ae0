"""Each paper: bibliography, published values, the run behind each, defects and verdicts."""
