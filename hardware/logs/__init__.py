"""What Intel's compiler and profilers print, as data."""
