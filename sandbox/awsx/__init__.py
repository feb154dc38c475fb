"""The component `awsx:ec2:Vpc`: what the real provider registers, with the same names, inputs and errors."""
