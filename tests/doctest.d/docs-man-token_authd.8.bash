# shellcheck shell=bash

prepare() {
    needs token_authd curl
}
