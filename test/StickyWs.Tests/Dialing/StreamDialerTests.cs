using System.Net;
using System.Security.Authentication;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dialing;
using StickyWs.Names;
using StickyWs.TestKit;

namespace StickyWs.Tests.Dialing;

public sealed class StreamDialerTests : INameResolver
{
    private static readonly IPAddress Wrong = IPAddress.Parse("127.0.0.2");

    public ValueTask<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken) => new([Wrong, IPAddress.Loopback]);

    // It takes connections, so that by the connect alone it would come first for ever.
    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n")]
    [InlineData("")]
    public async Task OpenAsync_AddressThatSpeaksNoTls_IsNotTheFirstTheNextTime(string answer)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has all of 127.0.0.0/8.");
        await using var right = RawBackend.Start((_, _) => Task.CompletedTask, certificate: TestCertificate.Server);
        await using var wrong = RawBackend.Start(
            async (_, wire) =>
            {
                await wire.ReadAsync(new byte[16 * 1024]);
                await wire.WriteAsync(answer);
                await wire.FinishAsync();
            },
            Wrong,
            port: right.Port);
        var authority = TestCertificate.WriteAuthorityFile();
        var backend = new Backend("chat", "a", new Uri($"https://localhost:{right.Port}"), new TunnelTotal(), new AddressBook(this, TimeProvider.System));
        var tls = new TlsOptions { CaCertificateFile = authority };

        var failure = await Assert.ThrowsAnyAsync<Exception>(OpenAsync);
        await using var stream = await OpenAsync();
        File.Delete(authority);

        Assert.True(failure is AuthenticationException or IOException, failure.ToString());
        Assert.Equal((1, 1), (wrong.Connections, right.Connections));

        async Task<Stream> OpenAsync() => await StreamDialer.OpenAsync(backend, tls, [], Wait.Token());
    }
}
