#!/usr/bin/env docker
# escape=`
from a
	Run	b	

  
cmd  []
entrypoint [ "a" ]  
HEALTHCHECK --interval=5s none
RUN [ -f x ] && y
RUN \
