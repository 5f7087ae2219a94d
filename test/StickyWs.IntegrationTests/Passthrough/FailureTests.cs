using System.Net;
using System.Net.Sockets;
using StickyWs.Backends;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Passthrough;

/// <summary>Backends that are not there, do not answer, or are full.</summary>
public sealed class FailureTests : PassthroughTest, IDisposable
{
    // Taken, and nobody listens.
    private readonly Socket _refusing = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly string _authority = TestCertificate.WriteAuthorityFile();

    public FailureTests() => _refusing.Bind(new IPEndPoint(IPAddress.Loopback, 0));

    private string Refusing => $"tcp://{_refusing.LocalEndPoint}";

    public void Dispose()
    {
        _refusing.Dispose();
        File.Delete(_authority);
        GC.SuppressFinalize(this);
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task Without_a_backend_the_client_gets_an_alert(Door door)
    {
        var balancer = Verbose(Start(door, Passing(Refusing)));

        Assert.Equal(Sorry, await AnswerAsync(balancer));
        Assert.EndsWith(": Unreachable", Logged(balancer, "PassthroughRefused"), StringComparison.Ordinal);
        Assert.Contains("mail/a: a passed-through connection got an alert", Logged(balancer, "BackendFailedClient"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_backend_that_refuses_is_passed_over(Door door)
    {
        var backend = StartTls();
        var balancer = Start(door, Passing(Refusing, AddressOf(backend)));

        for (var i = 0; i < 4; i++) Assert.Equal("hello ", await ReadAsync(await SecureAsync(balancer, Name), 6));
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_backend_that_closes_without_a_byte_is_passed_over_once(Door door)
    {
        var (silent, backend) = (StartSilent(), StartTls());
        var balancer = Start(door, Passing(AddressOf(silent), AddressOf(backend)));

        for (var i = 0; i < 4; i++) Assert.Equal("hello ", await ReadAsync(await SecureAsync(balancer, Name), 6));

        Assert.Equal(4, backend.Connections);
        Assert.InRange(silent.Connections, 1, 4); // The policy counts a second choice, too.
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task Without_an_answer_the_client_gets_an_alert(Door door)
    {
        var balancer = Verbose(Start(door, Passing(AddressOf(StartSilent()), AddressOf(StartSilent()), AddressOf(StartSilent()))));

        Assert.Equal(Sorry, await AnswerAsync(balancer));
        Assert.EndsWith(": NoAnswer", Logged(balancer, "PassthroughRefused"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_backend_that_says_nothing_is_waited_for_as_long_as_for_a_handshake(Door door)
    {
        var backend = Owned(RawBackend.Start(static (_, _) => Task.CompletedTask));
        var balancer = Verbose(Start(door, Passing(AddressOf(backend)).With("Pools:mail:Timeouts:Handshake", "00:00:00.2")));

        Assert.Equal(Sorry, await AnswerAsync(balancer));
        Assert.EndsWith(": TimedOut", Logged(balancer, "PassthroughRefused"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_client_that_goes_while_a_backend_is_asked_releases_it(Door door)
    {
        var asked = new TaskCompletionSource<Wire>();
        var backend = Owned(RawBackend.Start((_, wire) =>
        {
            asked.TrySetResult(wire);
            return Task.CompletedTask;
        }));
        var balancer = Start(door, Passing(AddressOf(backend)));
        var client = await ConnectAsync(balancer);
        await client.WriteAsync(HelloForge.Hello(Name));
        var server = await asked.Task.WaitAsync(Wait.Token());

        client.Reset();

        await server.WaitForEndAsync();
        await balancer.AssertNoLeasesAsync();
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_full_pool_answers_with_an_alert(Door door)
    {
        var backend = StartBare();
        var balancer = Verbose(Start(door, Passing(AddressOf(backend)).With("Pools:mail:Backends:a:MaxTunnels", "1")));
        var (client, _) = await OpenAsync(balancer, backend);

        Assert.Equal(Sorry, await AnswerAsync(balancer));
        Assert.EndsWith(": Full", Logged(balancer, "PassthroughRefused"), StringComparison.Ordinal);
        client.Reset();
    }

    [Fact]
    public async Task A_disabled_backend_gets_no_new_clients_and_keeps_its_own()
    {
        var (first, second) = (StartTls("one "), StartTls("two "));
        var balancer = Start(Door.HttpsRaw, Passing(AddressOf(first), AddressOf(second)).With("Pools:mail:Backends:b:Enabled", "false"));
        var open = await SecureAsync(balancer, Name);
        Assert.Equal("one ", await ReadAsync(open, 4));

        balancer.Settings.Change(settings =>
        {
            settings["StickyWs:Pools:mail:Backends:a:Enabled"] = "false";
            settings["StickyWs:Pools:mail:Backends:b:Enabled"] = "true";
        });
        await Wait.UntilAsync(() => balancer.Registry.Current.Pools[0].Backends[0].State == BackendState.Draining);

        Assert.Equal("two ", await ReadAsync(await SecureAsync(balancer, Name), 4));
        await open.WriteAsync("x"u8.ToArray(), Wait.Token());
        Assert.Equal("x", await ReadAsync(open, 1));
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("other.test", false)]
    public async Task A_TLS_probe_decides_by_the_backends_certificate(string name, bool isHealthy)
    {
        var backend = Owned(RawBackend.Start(static (_, _) => Task.CompletedTask, certificate: TestCertificate.Server));
        var balancer = Start(Door.Plain, Passing(AddressOf(backend))
            .With("Pools:mail:Health:Tls:Interval", "00:00:00.1")
            .With("Pools:mail:Tls:ServerName", name)
            .With("Pools:mail:Tls:CaCertificateFile", _authority));

        await Wait.UntilAsync(() => balancer.Registry.Current.Pools[0].Backends[0].State is BackendState.Healthy or BackendState.Unhealthy);

        Assert.Equal(isHealthy ? BackendState.Healthy : BackendState.Unhealthy, balancer.Registry.Current.Pools[0].Backends[0].State);
        if (!isHealthy) Assert.Equal(Sorry, await AnswerAsync(balancer));
    }

    [Fact]
    public async Task A_TCP_probe_does_no_TLS()
    {
        var backend = Owned(RawBackend.Start(static (_, _) => Task.CompletedTask));
        var balancer = Start(Door.Plain, Passing(AddressOf(backend)).With("Pools:mail:Health:Tcp:Interval", "00:00:00.1"));

        await Wait.UntilAsync(() => balancer.Registry.Current.Pools[0].Backends[0].State == BackendState.Healthy);
    }

    private RawBackend StartSilent() => Owned(RawBackend.Start(async (_, wire) =>
    {
        await wire.ReadAsync(new byte[16 * 1024]);
        await wire.FinishAsync();
    }));

    private async Task<string> AnswerAsync(Balancer balancer)
    {
        var client = await ConnectAsync(balancer);
        await client.WriteAsync(HelloForge.Hello(Name));
        return await client.ReadTextToEndAsync();
    }
}
