"""The training of an ensemble: data, steps, optimisers, histories and saved states."""
