# escape=`
# syntax = docker/dockerfile:1 
# escape=\
FROM mcr.microsoft.com/windows
COPY a `
  C:\dir\
RUN dir `

  c:\ `  
  end
COPY <<EOF C:\x
body
EOF
