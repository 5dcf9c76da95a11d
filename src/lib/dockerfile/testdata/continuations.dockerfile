from a
run echo one \
# a comment between
    two \

  three \   
  # indented comment
&& four
ENV A=b \
  C=d
RUN echo \\
RUN ["a", \
  "b"]
LABEL x="multi \
line" y=z
RUN last \
