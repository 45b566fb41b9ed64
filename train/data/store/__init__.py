"""The feature store: features of recordings, computed once and kept in HDF5 files, read a clip at a time."""
