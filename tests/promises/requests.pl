# Sends a server many requests with credentials in every place where people put them, and looks at the verdicts.
#
#     perl requests.pl PORT COUNT ANSWERS <CREDENTIALS
#
# CREDENTIALS has lines "KIND CREDENTIAL", where the kind `good` is to be let in and no other. The answers go
# to the file ANSWERS. Prints how many requests there were of each answer, and fails where one was wrong.
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $count, $answers) = @ARGV;
my $at_once = 32; # requests on a connection before the first answer is read
my $per_connection = 4096;
my @credentials = map { [/^(\S+) (.*)$/] } <STDIN>;
my ($good) = map { $_->[1] } grep { $_->[0] eq 'good' } @credentials;

# Where it counts, as whoever is let in shows: header lines.
my @counts = map { my $head = $_; sub { (undef, "/verify", sprintf $head, $_[0]) } }
    "Authorization: Bearer %s", "authorization: bEARER   %s", "X-Api-Key: %s", "X-Auth-Token: %s", "Api-Key:\t%s";

# Where it does not: request target, header lines, method, body; and what is answered.
my @mistakes = (
    sub { (401, "/verify?key=$_[0]", "") },
    sub { (401, "/verify?$_[0]", "") },
    sub { (401, "/verify/$_[0]", "") },
    sub { (401, "/verify/v1/models?api_key=$_[0]", "") },
    sub { (401, "/verify/%73%6b%2d" . substr($_[0], 3), "") },
    sub { (404, "/$_[0]", "") },
    sub { (200, "/healthz?key=$_[0]", "") },
    sub { (200, "/verify?scope=$_[0]", "X-Api-Key: $good") },
    sub { (200, "/verify", "X-Api-Key: $good\r\nX-Required-Scope: $_[0]") },
    sub { (401, "/verify", "Authorization: Basic $_[0]") },
    sub { (401, "/verify", "Authorization: $_[0]") },
    sub { (401, "/verify", "Authorization: Bearer $_[0], Bearer $_[0]") },
    sub { (401, "/verify", "X-Api-Key: \"$_[0]\"") },
    sub { (401, "/verify", "X-Api-Key: $_[0] $_[0]") },
    sub { (401, "/verify", "X-Api-Key: $_[0]\r\nX-Api-Key: $_[0]") },
    sub { (401, "/verify", "X-Forwarded-For: $_[0]") },
    sub { (401, "/verify", "Cookie: key=$_[0]; x=y") },
    sub { (401, "/verify", "Referer: https://example.org/?key=$_[0]") },
    sub { (401, "/verify", "User-Agent: curl -H $_[0]") },
    sub { (401, "/verify", "$_[0]: x") },
    sub { (401, "/verify", "", $_[0]) },
    sub { (401, "/verify", "", "POST", "key=$_[0]") },
);

sub request {
    my ($number) = @_;
    my $places = $number % 2 ? \@mistakes : \@counts;
    my $turn = int $number / 2;
    my ($kind, $credential) = @{$credentials[$turn / @$places % @credentials]};
    my ($code, $target, $head, $method, $body) = $places->[$turn % @$places]->($credential);

    $code //= $kind eq 'good' ? 200 : 401;
    $method //= 'GET';
    $head .= "\r\n" if $head ne '';
    $head .= 'Content-Length: ' . length($body) . "\r\n" if defined $body;
    return ($code, "$method $target HTTP/1.1\r\nHost: x\r\n$head\r\n" . ($body // ''));
}

open my $out, '>:raw', $answers or die "$answers: $!\n";
my ($socket, %codes);
my $heard = '';
my $wrong = 0;

# The next answer, head and body, and its status.
sub next_answer {
    while (1) {
        if ($heard =~ /\A(HTTP\/1\.1 (\d+) .*?\r\n\r\n)/s) {
            my ($head, $code) = ($1, $2);
            my ($body) = $head =~ /^Content-Length: (\d+)/mi or die "no length: $head";
            my $size = length($head) + $body;
            return (substr($heard, 0, $size, ''), $code) if length($heard) >= $size;
        }
        sysread($socket, $heard, 65536, length $heard) or die "the server hung up: $!\n";
    }
}

for (my $done = 0; $done < $count;) {
    if ($done % $per_connection == 0) {
        $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or die "cannot connect: $@\n";
    }
    my (@wanted, $sent);
    while (@wanted < $at_once && $done < $count) {
        my ($code, $text) = request($done++);
        push @wanted, [$code, $text];
        $sent .= $text;
    }
    print {$socket} $sent or die "cannot send: $!\n";
    $socket->flush;
    for my $request (@wanted) {
        my ($code_wanted, $text) = @$request;
        my ($answer, $code) = next_answer;
        print {$out} $answer;
        $codes{$code}++;
        if ($code != $code_wanted) {
            print "answered with $code, not $code_wanted:\n$text";
            $wrong++;
        }
    }
}
close $out or die "$answers: $!\n";
print join(' ', map { "$_:$codes{$_}" } sort keys %codes), "\n";
exit($wrong > 0);
