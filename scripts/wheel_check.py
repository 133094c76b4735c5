import dsp
print(dsp.LM("embedded")("Where is the Louvre? The Louvre is in Paris."))
