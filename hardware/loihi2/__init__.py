"""Running on a Loihi 2: the script that does, and the backend around it."""
