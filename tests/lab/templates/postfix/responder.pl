#!/usr/bin/perl
# Answers one mail, quoting its header: run by Postfix's pipe for each mail to `echo`. Perl is there with postgrey.
# responder.pl HOST SENDER RECIPIENT < MAIL: the answer is handed to HOST, port 25.
use strict;
use warnings;
use Net::SMTP;

my ($host, $sender, $recipient) = @ARGV;
my $quoted = '';
while (my $line = <STDIN>) {
    $line =~ s/\r?\n//;
    last if $line eq '';
    $quoted .= "> $line\n";
}
my $smtp = Net::SMTP->new($host, Hello => 'echo.example.test', Timeout => 20) or exit 75;
$smtp->mail($recipient) && $smtp->to($sender) && $smtp->data(<<"END") or exit 75;
From: Echo <$recipient>
To: $sender
Subject: Your message
Message-ID: <$$.@{[time]}\@echo.example.test>

Your message has come. Its header was:

$quoted
Bye.
END
$smtp->quit;
