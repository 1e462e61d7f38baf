# Where mutations and variations register themselves by name.
# SPDX-License-Identifier: BSD-3-Clause
"""A mutation takes a Scene and breaks one rule in it; expectations.csv says by name which. A variation changes a Scene legally."""

MUTATIONS = {}


def mutation(*names):
    """Registers a function under its own name or under several (the same change, done to several bases)."""
    def register(function):
        for name in names or (function.__name__,):
            if name in MUTATIONS:
                raise ValueError(f"two mutations called {name}")
            MUTATIONS[name] = function
        return function
    return register
