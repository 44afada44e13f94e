# An image of PostgreSQL with inventory:
#
#   docker build -t postgres-inventory .
#
# and one that has the extension alone, as CloudNativePG mounts it into its own images
# (an image volume; PostgreSQL 18 or newer):
#
#   docker build -t inventory-volume --target volume --build-arg PG_MAJOR=18 .

ARG PG_MAJOR=17

FROM postgres:${PG_MAJOR} AS build
ARG PG_MAJOR=17
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential postgresql-server-dev-${PG_MAJOR} \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN make -s with_llvm=no && make -s with_llvm=no install DESTDIR=/out

FROM scratch AS volume
ARG PG_MAJOR=17
COPY --from=build /out/usr/lib/postgresql/${PG_MAJOR}/lib/ /lib/
COPY --from=build /out/usr/share/postgresql/${PG_MAJOR}/extension/ /share/extension/
COPY --from=build /src/LICENSE /licenses/

FROM postgres:${PG_MAJOR} AS server
COPY --from=build /out/ /
