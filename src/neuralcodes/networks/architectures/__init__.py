"""Architectures: kinds of networks, one declaration each."""
