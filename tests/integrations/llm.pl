# In the place of llama.cpp, vLLM and Ollama, for tests: what clients of OpenAI's API ask for.
#
# usage: perl llm.pl FOLDER
#
# Listens on a free port of 127.0.0.1, whose number it writes to FOLDER/port when it is ready. Each
# request is appended to FOLDER/requests: its connection's number, its head, and the size of its body.
#
# A streamed answer is written on demand: a piece for each byte in the pipe FOLDER/next. Who has the one
# and asks for the next by that pipe, and so to the end, has had each piece before the next was made. When
# the client goes away meanwhile, FOLDER/gone appears.
use strict;
use warnings;
use IO::Handle;
use IO::Select;
use IO::Socket::INET;
use POSIX qw(mkfifo);

# What is streamed, and what is not: the same words.
my @words = ('One', ' by', ' one', '.');
my $common = '"id": "chatcmpl-1", "created": 1, "model": "small"';

my ($folder) = @ARGV;
mkfifo("$folder/next", 0600) or die $!;
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 64)
    or die "cannot listen: $!";
append('port.new', $listener->sockport . "\n");
rename "$folder/port.new", "$folder/port" or die $!;
$SIG{CHLD} = 'IGNORE';
$SIG{PIPE} = 'IGNORE';

for (my $number = 1;; $number++) {
    my $client = $listener->accept or next;
    my $pid = fork;
    if (defined $pid && $pid == 0) {
        close $listener;
        1 while answer($client, $number); # false at the end of the connection
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

sub whole {
    my ($client, $status, $json) = @_;
    print $client "HTTP/1.1 $status\r\nContent-Type: application/json\r\n",
        'Content-Length: ', length $json, "\r\n\r\n", $json;
    $client->flush;
    return 1;
}

sub stream {
    my ($client) = @_;
    open my $next, '+<', "$folder/next" or die $!;
    print $client "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    $client->flush;
    my $both = IO::Select->new($next, $client);
    for my $word (@words) {
        if (grep { $_ == $client } $both->can_read) {
            append('gone', "gone\n");
            return 0;
        }
        sysread $next, my $byte, 1;
        event($client, qq({$common, "object": "chat.completion.chunk", "choices": )
                . qq([{"index": 0, "delta": {"content": "$word"}, "finish_reason": null}]}));
    }
    event($client, '[DONE]');
    print $client "0\r\n\r\n";
    $client->flush;
    return 1;
}

sub event {
    my ($client, $data) = @_;
    $data = "data: $data\n\n";
    printf $client "%x\r\n%s\r\n", length $data, $data;
    $client->flush;
}

sub answer {
    my ($client, $number) = @_;
    my ($head, $body) = ('', '');
    while (1) {
        my $line = <$client>;
        return 0 unless defined $line;
        last if $line =~ /^\r?\n$/;
        $head .= $line =~ s/\r//r;
    }
    read $client, $body, $1 if $head =~ /^content-length:\s*(\d+)/im;
    append('requests', "connection: $number\n${head}body: " . length($body) . "\n\n");
    return reply($client, $head, $body) && $head !~ /^connection:\s*close/im;
}

sub reply {
    my ($client, $head, $body) = @_;
    return whole($client, '200 OK', '{"object": "list", "data": [{"id": "small", "object": "model",'
            . ' "created": 1, "owned_by": "us"}]}')
        if $head =~ m{^GET /v1/models };
    return stream($client) if $head =~ m{^POST /v1/chat/completions } && $body =~ /"stream": *true/;
    return whole($client, '200 OK', qq({$common, "object": "chat.completion", "choices": [{"index": 0,)
            . ' "message": {"role": "assistant", "content": "' . join('', @words)
            . '"}, "finish_reason": "stop"}]}')
        if $head =~ m{^POST /v1/chat/completions };
    return whole($client, '200 OK', '{"what": "else"}');
}
