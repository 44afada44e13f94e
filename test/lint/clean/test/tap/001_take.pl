#!/usr/bin/perl
# Copyright (c) the inventory authors

# Every unit is taken once.
#
use strict;
