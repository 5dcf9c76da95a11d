# escape=`
FROM debian



run  a `
 b `

 c
COPY a `
b
RUN <<E
x  y  
E