using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using StickyWs.IntegrationTests.Tls;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Reload;

/// <summary>A certificate's file is replaced under load.</summary>
public sealed class RotationTests : ReloadTest
{
    private const int Rotations = 3;

    [Theory]
    [InlineData("Auto", "Endpoints:Main:Certificate")]
    [InlineData("Auto", "Certificates:Default")]
    [InlineData("SslStream", "Endpoints:Main:Certificate")]
    public async Task A_replaced_certificate_is_served_at_once_and_nobody_is_refused(string tls, string section)
    {
        var (path, port) = (FileOf("main.pfx"), FreePort());
        WriteCertificate(path, "0");
        var backend = Owned(RawBackend.Opening());
        var settings = Pool(backend.Address);
        settings.Change(data =>
        {
            data["Kestrel:Endpoints:Main:Url"] = $"https://127.0.0.1:{port}";
            data[$"Kestrel:{section}:Path"] = path;
        });
        var balancer = StartConfigured(settings, tls);
        var address = new Uri($"https://127.0.0.1:{port}");
        await using var tunnel = await TlsWire.ConnectAsync(address);
        await tunnel.Wire.WriteAsync(HttpHead.Handshake("/chat"));
        Assert.StartsWith("HTTP/1.1 101 ", await tunnel.Wire.ReadHeadAsync(), StringComparison.Ordinal);
        await using var end = await backend.NextTunnelAsync();
        using var stop = new CancellationTokenSource();
        var served = new ConcurrentQueue<string>();
        var clients = Enumerable.Range(0, 2).Select(_ => Task.Run(() => AskUntilAsync(address, served, stop.Token))).ToArray();

        for (var i = 1; i <= Rotations; i++)
        {
            var name = i.ToString(CultureInfo.InvariantCulture);
            WriteCertificate(path, name);
            await Wait.UntilAsync(() => served.Contains("CN=" + name) || clients.Any(client => client.IsCompleted));
            await tunnel.Wire.WriteAsync(name);
            Assert.Equal(name, await end.ReadTextAsync(1));
            await end.WriteAsync(name);
            Assert.Equal(name, await tunnel.Wire.ReadTextAsync(1));
        }

        await stop.CancelAsync();
        await Task.WhenAll(clients);
        Assert.Equal(Rotations, balancer.Log.Lines.Count(line => line.Event == "ListenerHandedOver"));
    }

    // Kestrel watches the certificate's file only, and refuses a pair that does not fit.
    [Theory]
    [InlineData("Auto")]
    [InlineData("SslStream")]
    public async Task A_key_that_follows_its_certificate_later_completes_the_pair(string tls)
    {
        var (settings, certificate, key, port) = await ConfigurePairAsync("old");
        var balancer = StartConfigured(settings, tls);
        Assert.Equal("CN=old", await SubjectAsync(port));

        var pem = CreatePem("new");
        await File.WriteAllTextAsync(certificate, pem.Certificate, Wait.Token());
        await Wait.UntilAsync(() => balancer.Log.Lines.Any(line => line.Text.StartsWith("Unable to reload configuration", StringComparison.Ordinal)));
        Assert.Equal("CN=old", await SubjectAsync(port));
        await File.WriteAllTextAsync(key, pem.Key, Wait.Token());

        await Wait.UntilAsync(async () => await SubjectAsync(port) == "CN=new");
    }

    [Theory]
    [InlineData("Auto")]
    [InlineData("SslStream")]
    public async Task A_certificate_that_follows_its_key_later_completes_the_pair(string tls)
    {
        var (settings, certificate, key, port) = await ConfigurePairAsync("old");
        StartConfigured(settings, tls);
        Assert.Equal("CN=old", await SubjectAsync(port));

        var pem = CreatePem("new");
        await File.WriteAllTextAsync(key, pem.Key, Wait.Token());
        await File.WriteAllTextAsync(certificate, pem.Certificate, Wait.Token());

        await Wait.UntilAsync(async () => await SubjectAsync(port) == "CN=new");
    }

    // The names that Kestrel watches are links that stay; what is behind them changes in one step.
    [Theory]
    [InlineData("Auto", "Endpoints:Main:Certificate", true)]
    [InlineData("Auto", "Certificates:Default", true)]
    [InlineData("Auto", "Endpoints:Main:Sni:localhost:Certificate", true)]
    [InlineData("SslStream", "Endpoints:Main:Certificate", true)]
    [InlineData("Auto", "Endpoints:Main:Certificate", false)]
    public async Task A_secret_that_is_mounted_as_Kubernetes_does_it_is_served_when_it_changes(string tls, string section, bool hasKeyFile)
    {
        var port = FreePort();
        var version = 0;
        await MountAsync();
        File.CreateSymbolicLink(FileOf("tls.crt"), "..data/tls.crt");
        File.CreateSymbolicLink(FileOf("tls.key"), "..data/tls.key");
        var settings = Pool("http://127.0.0.1:1");
        settings.Change(data =>
        {
            data["Kestrel:Endpoints:Main:Url"] = $"https://127.0.0.1:{port}";
            data[$"Kestrel:{section}:Path"] = FileOf("tls.crt");
            if (hasKeyFile) data[$"Kestrel:{section}:KeyPath"] = FileOf("tls.key");
        });
        var balancer = StartConfigured(settings, tls);
        Assert.Equal("CN=0", await SubjectAsync(port));

        // More than once, as nobody knows when the files were first looked at.
        var polls = 0;
        await Wait.UntilAsync(async () =>
        {
            if (polls++ % 100 == 0) await MountAsync();
            return await SubjectAsync(port) != "CN=0";
        });
        await Wait.UntilAsync(async () => await SubjectAsync(port) == $"CN={version - 1}");
        Assert.DoesNotContain(balancer.Log.Lines, line => line.Level >= LogLevel.Error);

        async Task MountAsync()
        {
            var name = version++.ToString(CultureInfo.InvariantCulture);
            var folder = Directory.CreateDirectory(FileOf("..v" + name)).FullName;
            if (hasKeyFile)
            {
                var pem = CreatePem(name);
                await File.WriteAllTextAsync(Path.Combine(folder, "tls.crt"), pem.Certificate, Wait.Token());
                await File.WriteAllTextAsync(Path.Combine(folder, "tls.key"), pem.Key, Wait.Token());
            }
            else
            {
                WriteCertificate(Path.Combine(folder, "tls.crt"), name);
            }

            Directory.CreateSymbolicLink(FileOf("..data_tmp"), "..v" + name);
            using var move = Process.Start("mv", ["-T", FileOf("..data_tmp"), FileOf("..data")]);
            await move.WaitForExitAsync(Wait.Token());
            Assert.Equal(0, move.ExitCode);
        }
    }

    // As when the one from before is restored: Kestrel heeds only what is newer.
    [Fact]
    public async Task An_older_file_in_the_place_of_a_newer_one_is_served()
    {
        var (path, port) = (FileOf("main.pfx"), FreePort());
        WriteCertificate(path, "0");
        var settings = Pool("http://127.0.0.1:1");
        settings.Change(data =>
        {
            data["Kestrel:Endpoints:Main:Url"] = $"https://127.0.0.1:{port}";
            data["Kestrel:Endpoints:Main:Certificate:Path"] = path;
        });
        StartConfigured(settings);
        Assert.Equal("CN=0", await SubjectAsync(port));

        var (polls, days) = (0, 0);
        await Wait.UntilAsync(async () =>
        {
            if (polls++ % 100 == 0)
            {
                WriteCertificate(FileOf("other.pfx"), "1");
                File.SetLastWriteTimeUtc(FileOf("other.pfx"), DateTime.UtcNow.AddDays(--days));
                File.Move(FileOf("other.pfx"), path, overwrite: true);
            }

            return await SubjectAsync(port) == "CN=1";
        });
    }

    [Fact]
    public async Task A_replaced_certificate_of_a_name_is_served_too()
    {
        var (path, port) = (FileOf("name.pfx"), FreePort());
        WriteCertificate(path, "0");
        var settings = Pool("http://127.0.0.1:1");
        settings.Change(data =>
        {
            data["Kestrel:Endpoints:Main:Url"] = $"https://127.0.0.1:{port}";
            data["Kestrel:Endpoints:Main:Sni:*:Certificate:Path"] = path;
        });
        var balancer = StartConfigured(settings);
        Assert.Equal("CN=0", await SubjectAsync(port));

        WriteCertificate(path, "1");

        await Wait.UntilAsync(async () => await SubjectAsync(port) == "CN=1");
        Assert.DoesNotContain(balancer.Log.Lines, line => line.Event == "TlsInKestrel");
    }

    // The host would stop, as a service of its that fails ends it.
    [Fact]
    public async Task A_key_that_changes_while_a_source_is_broken_stops_nobody()
    {
        var (settings, certificate, key, port) = await ConfigurePairAsync("kept");
        var broken = new BrokenSource();
        var balancer = StartConfigured(settings, configure: web => web.ConfigureAppConfiguration((_, builder) => builder.Add(broken)));
        broken.IsBroken = true;

        await Wait.UntilAsync(() =>
        {
            File.SetLastWriteTimeUtc(key, DateTime.UtcNow);
            return balancer.Log.Lines.Any(line => line.Event is "KeyReloadFailed" or "BackgroundServiceStoppingHost");
        });

        Assert.DoesNotContain(balancer.Log.Lines, line => line.Event == "BackgroundServiceStoppingHost");
        await using var stream = await TestClients.OpenAsync(port, "localhost");
        Assert.Equal("CN=kept", stream.RemoteCertificate!.Subject);
    }

    private static async Task<string> SubjectAsync(int port)
    {
        await using var stream = await TestClients.OpenAsync(port, "localhost");
        return stream.RemoteCertificate!.Subject;
    }

    // Each with a handshake of its own. Whatever fails ends the test.
    private static async Task AskUntilAsync(Uri address, ConcurrentQueue<string> served, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await using var client = await TlsWire.ConnectAsync(address);
            await client.Wire.WriteAsync("GET /app HTTP/1.1\r\nHost: example.test\r\n\r\n");
            Assert.StartsWith("HTTP/1.1 200 ", await client.Wire.ReadHeadAsync(), StringComparison.Ordinal);
            served.Enqueue(client.Tls.RemoteCertificate!.Subject);
        }
    }

    // An endpoint whose certificate and key are files of their own.
    private async Task<(LiveSettings Settings, string Certificate, string Key, int Port)> ConfigurePairAsync(string name)
    {
        var (certificate, key, port) = (FileOf("tls.crt"), FileOf("tls.key"), FreePort());
        var pem = CreatePem(name);
        await File.WriteAllTextAsync(certificate, pem.Certificate, Wait.Token());
        await File.WriteAllTextAsync(key, pem.Key, Wait.Token());
        var settings = Pool("http://127.0.0.1:1");
        settings.Change(data =>
        {
            data["Kestrel:Endpoints:Main:Url"] = $"https://127.0.0.1:{port}";
            data["Kestrel:Endpoints:Main:Certificate:Path"] = certificate;
            data["Kestrel:Endpoints:Main:Certificate:KeyPath"] = key;
        });
        return (settings, certificate, key, port);
    }

    private sealed class BrokenSource : ConfigurationProvider, IConfigurationSource
    {
        public bool IsBroken { get; set; }

        public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

        public override void Load()
        {
            if (IsBroken) throw new InvalidDataException("Not to be read at the moment.");
        }
    }
}
