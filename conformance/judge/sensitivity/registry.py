# Where mutations and variations register themselves by name.
# SPDX-License-Identifier: BSD-3-Clause
"""A mutation takes a Scene and breaks one rule in it; expectations.csv says by name which. A variation changes a Scene legally."""

MUTATIONS = {}
VARIATIONS = {}


def mutation(*names):
    """Registers a function under its own name or under several (the same change, done to several bases)."""
    def register(function):
        for name in names or (function.__name__,):
            if name in MUTATIONS:
                raise ValueError(f"two mutations called {name}")
            MUTATIONS[name] = function
        return function
    return register


def variation(*bases, in_order=True):
    """Registers a legal change for the bases it is done to. It returns nothing (the Scene was edited), a file's bytes, or a list of such.
    in_order: it gets the frames in the order of time, else as they stand in the file."""
    def register(function):
        if function.__name__ in VARIATIONS:
            raise ValueError(f"two variations called {function.__name__}")
        VARIATIONS[function.__name__] = (function, bases, in_order)
        return function
    return register
