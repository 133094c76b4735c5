import dsp
print(f"dsp {dsp.__version__}")
