"""``python -m hardware``: the chip and the energy."""

from train.console import stage

main = stage("hardware", "The chip, and what it costs.")

if __name__ == "__main__":
    main()
