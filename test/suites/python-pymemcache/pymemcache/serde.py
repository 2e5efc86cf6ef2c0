"""Names of serdes: memshim/pymemcache has them, and writes pickles of the highest protocol, too."""

import functools
import pickle


class PickleSerde:
    def __init__(self, pickle_version=pickle.HIGHEST_PROTOCOL):
        # Django's tests look at it.
        self._serialize_func = functools.partial(pickle.dumps, pickle_version=pickle_version)


pickle_serde = PickleSerde()
