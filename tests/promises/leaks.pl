# Are secrets, or pieces of them, in these files or in their names?
#
#     perl leaks.pl SECRETS FILE...
#
# SECRETS has a line for each secret: how many characters of its beginning may be seen, and the secret.
# A piece is any twelve characters in a row with one at least that may not be seen. What is percent-encoded,
# or escaped with a backslash, is looked at as what it means, too. Prints the places and fails if there are any.
use strict;
use warnings;

my $size = 12;
my %piece;

open my $secrets, '<', shift or die "no secrets: $!\n";
while (<$secrets>) {
    my ($shown, $secret) = /^(\d+) (.*)$/ or die "no secret: $_";
    my $first = $shown + 1 > $size ? $shown + 1 - $size : 0;
    $piece{substr $secret, $_, $size} = $. for $first .. length($secret) - $size;
}
%piece or die "there are no secrets to look for\n";

my $found = 0;

sub look {
    my ($text, $place) = @_;

    while ($text =~ /([!-~]{$size,})/g) {
        my $run = $1;
        for my $i (0 .. length($run) - $size) {
            my $secret = $piece{substr $run, $i, $size} or next;
            print "$place: secret $secret is told\n";
            return $found++;
        }
    }
}

for my $file (@ARGV) {
    look $file, "the name $file";
    open my $in, '<:raw', $file or die "$file: $!\n";
    while (<$in>) {
        look $_, "$file:$.";
        next unless /[%\\]/;
        s/%([0-9A-Fa-f]{2})|\\x([0-9A-Fa-f]{2})|\\u00([0-9A-Fa-f]{2})/chr hex($1 \/\/ $2 \/\/ $3)/ge;
        s/\\(.)/$1/g;
        look $_, "$file:$.";
    }
}
exit($found > 0);
