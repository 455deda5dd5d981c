# The server behind a proxy, for tests: it answers with what reached it.
#
# usage: perl upstream.pl FOLDER [SOCKET]
#
# Listens on a free port of 127.0.0.1, whose number it writes to FOLDER/port when it is ready, or on a
# Unix socket. Each request is appended to FOLDER/requests, in one piece: its connection's number, its
# head, and the size of its body. What it answers is the same text, but
#   /verify…   in the place of token_authd: everybody is let in
#   /session   204 where the cookie has session=SESSION, 403 with session=locked, 200 with session=page, else 401
#   /stream    "first", and "second" once there is FOLDER/go
use strict;
use warnings;
use IO::Handle;
use IO::Socket::INET;
use IO::Socket::UNIX;

my ($folder, $path) = @ARGV;
my $listener =
    defined $path
    ? IO::Socket::UNIX->new(Local => $path, Listen => 64)
    : IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 64);
die "cannot listen: $!" unless $listener;
append('port.new', defined $path ? "none\n" : $listener->sockport . "\n");
rename "$folder/port.new", "$folder/port" or die $!;
$SIG{CHLD} = 'IGNORE';
$SIG{PIPE} = 'IGNORE';

for (my $number = 1;; $number++) {
    my $client = $listener->accept or next;
    my $pid = fork;
    if (defined $pid && $pid == 0) {
        close $listener;
        1 while answer($client, $number);
        exit;
    }
    close $client;
}

sub append {
    my ($name, $text) = @_;
    open my $file, '>>', "$folder/$name" or die $!;
    syswrite $file, $text;
    close $file;
}

# Reads away a body, and returns its size.
sub body_size {
    my ($client, $head) = @_;
    my ($size, $rest) = (0, '');
    if ($head =~ /^transfer-encoding:\s*chunked/im) {
        while (defined(my $line = <$client>)) {
            my $chunk = hex($line =~ s/[;\r\n].*//sr);
            read $client, $rest, $chunk + 2;
            $size += $chunk;
            last if $chunk == 0;
        }
    } elsif ($head =~ /^content-length:\s*(\d+)/im) {
        $size = read $client, $rest, $1;
    }
    return $size;
}

# Answers one request; false at the end of the connection.
sub answer {
    my ($client, $number) = @_;
    my $head = '';
    while (1) {
        my $line = <$client>;
        return 0 unless defined $line;
        last if $line =~ /^\r?\n$/;
        $head .= $line;
    }
    my $text = "connection: $number\n" . ($head =~ s/\r//gr);
    $text .= 'body: ' . body_size($client, $head) . "\n";
    append('requests', "$text\n");
    if ($head =~ m{^\S+ /verify}) {
        print $client "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Token-Id: tok_0\r\n",
            "X-Token-Name: name\r\nX-Token-Scopes: *\r\nX-Auth-Mode: file\r\n\r\n";
    } elsif ($head =~ m{^\S+ /session[ ?]}) {
        my ($session) = $head =~ /^cookie:.*\bsession=(\w+)/im;
        my %status = (SESSION => '204 No Content', locked => '403 Forbidden', page => '200 OK');
        my $status = $status{$session // ''} // '401 Unauthorized';
        print $client "HTTP/1.1 $status\r\n", $status =~ /^204/ ? '' : "Content-Length: 0\r\n", "\r\n";
    } elsif ($head =~ m{^\S+ /stream}) {
        print $client "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n",
            "Connection: close\r\n\r\nfirst\n";
        $client->flush;
        for (my $i = 0; $i < 1000 && !-e "$folder/go"; $i++) {
            select undef, undef, undef, 0.02;
        }
        print $client "second\n";
        return 0;
    } else {
        print $client "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ",
            length $text, "\r\n\r\n", $text;
    }
    $client->flush;
    return $head !~ /^connection:\s*close/im;
}
