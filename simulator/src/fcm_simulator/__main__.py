"""`python -m fcm_simulator` is `fcm-simulator`."""

from fcm_simulator.cli import main

if __name__ == "__main__":
    main()
