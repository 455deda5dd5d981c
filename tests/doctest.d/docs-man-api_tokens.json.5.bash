# shellcheck shell=bash

prepare() {
    needs b2sum
    replace "-g my-api " "-g $(id -gn) "
    replace /var/lib/my-api "$PWD/my-api"
}
