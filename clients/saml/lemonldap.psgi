# The portal of LemonLDAP::NG without a web server. LLNG_PEOPLE names a file with
# the people, who replace those of its demonstration backend; their password is
# their login.
use strict;
use warnings;
use JSON;
use Plack::Builder;
use Lemonldap::NG::Portal::Main;
use Lemonldap::NG::Portal::UserDB::Demo;

# The captcha that is loaded in any case would need ImageMagick.
{
    package Lemonldap::NG::Portal::Captcha::None;
    use Mouse;
    extends 'Lemonldap::NG::Portal::Main::Plugin';
    sub init { 1 }
    $INC{'Lemonldap/NG/Portal/Captcha/None.pm'} = __FILE__;
}

open my $file, '<', $ENV{LLNG_PEOPLE} or die "$ENV{LLNG_PEOPLE}: $!";
my $people = decode_json(join '', <$file>);
close $file;

%Lemonldap::NG::Portal::UserDB::Demo::demoAccounts = ();
%Lemonldap::NG::Portal::UserDB::Demo::demoGroups   = ();
while (my ($login, $person) = each %$people) {
    $Lemonldap::NG::Portal::UserDB::Demo::demoAccounts{$login} =
      { uid => $login, cn => $person->{name}, mail => $person->{email} };
    push @{$Lemonldap::NG::Portal::UserDB::Demo::demoGroups{$_}}, $login for @{$person->{groups}};
}

my $portal = Lemonldap::NG::Portal::Main->run({});
builder {
    enable 'Static', path => sub { s{^/static/}{/} }, root => "$ENV{LLNG_HTDOCS}/static";
    enable 'Static', path => sub { s{^/javascript/}{/} }, root => '/usr/share/javascript';
    $portal;
};
