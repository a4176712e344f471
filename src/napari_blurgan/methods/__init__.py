"""Recipes: what is to be trained, as data; torch is not needed to read or write one."""
