"""Engineers: who may be sent, where to, and for which work (DSP-01, DSP-02)."""
