"""Conditions that are built into an ansatz, and whether they can be."""
