"""How accuracy holds out against noise, rooms and changes of level, pitch and tempo."""
