"""The two HTTP sites: IPTV, API and pages on one port, the HDHomeRun tuner on the other."""
