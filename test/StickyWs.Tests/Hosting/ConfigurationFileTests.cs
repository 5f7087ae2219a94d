using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.FileProviders.Physical;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StickyWs.Configuration;
using StickyWs.TestKit;

namespace StickyWs.Tests.Hosting;

/// <summary>What happens to configuration files in operation: they are saved in parts, taken away and brought back.</summary>
public sealed class ConfigurationFileTests : IDisposable
{
    private const string Main = "appsettings.json";
    private const string Other = "other.json";
    private const string Away = "(away)";
    private const string Good = """{ "StickyWs": { "Pools": { "chat": { "Backends": { "a": { "Address": "http://127.0.0.1:5000" } } } } } }""";
    private const string Better = """{ "StickyWs": { "Pools": { "chat": { "Backends": { "b": { "Address": "http://127.0.0.1:5001" } } } } } }""";

    private readonly MemoryFiles _files = new();
    private readonly LogRecorder _log = new();
    private readonly List<StickyWsOptions> _heard = [];
    private Action<JsonConfigurationSource> _source = _ => { };
    private ServiceProvider? _services;

    public void Dispose()
    {
        _services?.Dispose();
        _log.Dispose();
    }

    public static TheoryData<string> Damages
        => [Away, "", " ", "{}", "{ }", "null", "[]", "{ \"StickyWs\": ", Good[..^1], Good + "}", "{ \"StickyWs\": { \"Pools\": { \"chat\": \u0001"];

    [Theory]
    [MemberData(nameof(Damages))]
    public void Damaged_TheLastGoodStaysWithOneLine_WhateverElseIsSaved(string damage)
    {
        var monitor = Start((Main, Good), (Other, """{ "Logging": {} }"""));

        Damage(Main, damage);
        _files.Save(Other, """{ "Logging": { "Some": "thing" } }""");
        _files.Save(Other, """{ "StickyWs": { "MaxTunnels": 7 } }""");

        Assert.Equal("a", Backends(monitor));
        Assert.Empty(_heard);
        var line = Assert.Single(_log.Lines);
        Assert.Equal((LogLevel.Error, "ConfigurationRefused"), (line.Level, line.Event));
        Assert.Contains(Main, line.Text, StringComparison.Ordinal);

        _files.Save(Main, Better);
        Assert.Equal("b", Backends(monitor));
        Assert.Equal(7, monitor.CurrentValue.MaxTunnels);
        Assert.Single(_log.Lines);
    }

    // A file beside the one with the pools is a part like any other.
    [Theory]
    [MemberData(nameof(Damages))]
    public void Damaged_OneFileOfSeveral_TheLastGoodStaysWhole(string damage)
    {
        var monitor = Start((Main, Good), (Other, Better));
        Assert.Equal("a b", Backends(monitor));

        Damage(Other, damage);
        _files.Save(Main, Good.Replace("5000", "6000", StringComparison.Ordinal));

        Assert.Equal("a b", Backends(monitor));
        Assert.Contains(Other, Assert.Single(_log.Lines).Text, StringComparison.Ordinal);

        _files.Save(Other, """{ "Logging": {} }""");
        Assert.Equal("a", Backends(monitor));
        Assert.Equal("http://127.0.0.1:6000", monitor.CurrentValue.Pools["chat"].Backends["a"].Address);
    }

    [Theory]
    [InlineData("""{ "StickyWs": {} }""")]
    [InlineData("""{ "StickyWs": null, "Logging": {} }""")]
    public void EmptySection_InOneFileOfSeveral_TheLastGoodStaysWhole(string text)
    {
        var monitor = Start((Main, Good), (Other, Better));

        _files.Save(Other, text);
        _files.Save(Main, Good.Replace("5000", "6000", StringComparison.Ordinal));

        Assert.Equal("a b", Backends(monitor));
        Assert.Contains(Other, Assert.Single(_log.Lines).Text, StringComparison.Ordinal);

        _files.Save(Other, """{ "StickyWs": { "Pools": {} } }""");
        Assert.Equal("a", Backends(monitor));
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public void Damaged_FileWithoutAPart_IsNoneOfOurs(string damage)
    {
        var monitor = Start((Main, Good), (Other, """{ "Logging": {} }"""));

        Damage(Other, damage);
        _files.Save(Main, Better);

        Assert.Equal("b", Backends(monitor));
        Assert.Empty(_log.Lines);
    }

    [Theory]
    [InlineData("""{ "StickyWs": {} }""")]
    [InlineData("""{ "StickyWs": null }""")]
    [InlineData("""{ "StickyWs": { "MaxTunnels": 7 } }""")]
    [InlineData("""{ "Logging": {} }""")]
    public void NoPoolsLeft_Unsaid_TheLastGoodStays(string text)
    {
        var monitor = Start((Main, Good), (Other, """{ "Logging": {} }"""));

        _files.Save(Main, text);
        _files.Save(Other, """{ "Logging": { "Some": "thing" } }""");

        Assert.Equal("a", Backends(monitor));
        Assert.Contains("\"Pools\": {}", Assert.Single(_log.Lines).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "StickyWs": { "Pools": {} } }""")]
    [InlineData("""{ "StickyWs": { "Pools": null } }""")]
    public void NoPoolsLeft_AsWritten_AreGone(string text)
    {
        var monitor = Start((Main, Good));

        _files.Save(Main, text);

        Assert.Empty(monitor.CurrentValue.Pools);
        Assert.Empty(_log.Lines);
    }

    [Theory]
    [InlineData("Sticky-Ws")]
    [InlineData("StickWs")]
    [InlineData("Balancer")]
    public void SectionMisspelt_TheLastGoodStaysAndTheLineSaysWhy(string name)
    {
        var monitor = Start((Main, Good));

        _files.Save(Main, Better.Replace("StickyWs", name, StringComparison.Ordinal));

        Assert.Equal("a", Backends(monitor));
        Assert.Contains($"nothing reads {name}: did you mean StickyWs?", Assert.Single(_log.Lines).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Broken_AgainOtherwise_IsSaidAgain()
    {
        var monitor = Start((Main, Good));

        _files.Save(Main, "{ 1");
        Assert.IsType<AggregateException>(_files.Thrown); // As without us: the framework throws it at the watcher.
        _files.Save(Main, "{ 1");
        _files.Save(Main, "{\n\n \"StickyWs\": } ");

        Assert.Equal("a", Backends(monitor));
        Assert.Equal(2, _log.Lines.Count);
        Assert.All(_log.Lines, line => Assert.DoesNotContain('\n', line.Text));
        Assert.Contains("LineNumber: 2", _log.Lines[1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Broken_HandlerOfTheApplicationsOwn_IsCalledToo()
    {
        List<string?> heard = [];
        _source = source => source.OnLoadException = context =>
        {
            heard.Add(context.Provider.Source.Path);
            context.Ignore = true;
        };
        var monitor = Start((Main, Good));

        _files.Save(Main, "{ 1");

        Assert.Equal([Main], heard);
        Assert.Null(_files.Thrown);
        Assert.Equal("a", Backends(monitor));
        Assert.Single(_log.Lines);
    }

    [Fact]
    public void SeveralErrors_OneLineEach_AndOnceThoughTheFileIsSavedTwice()
    {
        var monitor = Start((Main, Good), (Other, """{ "Logging": {} }"""));
        const string bad =
            """{ "StickyWs": { "MaxTunnels": 0, "Pool": {}, "Pools": { "chat": { "Backend": { "a": { "Address": "http://127.0.0.1:1" } } } } } }""";

        _files.Save(Main, bad);
        _files.Save(Main, bad);
        _files.Save(Other, """{ "Logging": { "Some": "thing" } }""");

        Assert.Equal("a", Backends(monitor));
        foreach (var part in (string[])["StickyWs:MaxTunnels is '0'", "StickyWs:Pool is not an option: did you mean Pools?",
            "StickyWs:Pools:chat:Backend is not an option: did you mean Backends?"])
            Assert.Single(_log.Lines, line => line.Text.Contains(part, StringComparison.Ordinal));
        Assert.All(_log.Lines, line => Assert.Equal("ConfigurationRefused", line.Event));
        Assert.Equal(_log.Lines.Count, _log.Lines.Select(line => line.Text).Distinct().Count());
    }

    // As the kubelet does it: the folder that ..data leads to is another one from one moment to the next. The runtime's file watcher does not see that, unless
    // it polls.
    [Fact]
    public async Task ConfigMapSwapped_WithPolling_IsTaken()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("The kubelet runs on Linux.");
        var folder = Directory.CreateTempSubdirectory("stickyws-");
        try
        {
            var written = DateTime.UtcNow;
            await SwapAsync(folder.FullName, "..2026_1", Good, written - TimeSpan.FromMinutes(1));
            File.CreateSymbolicLink(Path.Combine(folder.FullName, Main), Path.Combine("..data", Main));
            using var files = new PhysicalFileProvider(folder.FullName, ExclusionFilters.Sensitive) { UsePollingFileWatcher = true, UseActivePolling = true };
            var monitor = Start(files, Main);
            Assert.Equal("a", Backends(monitor));

            await SwapAsync(folder.FullName, "..2026_2", Better, written);
            Directory.Delete(Path.Combine(folder.FullName, "..2026_1"), recursive: true);

            await Wait.UntilAsync(() => Backends(monitor) == "b");
            Assert.Empty(_log.Lines);
        }
        finally
        {
            _services?.Dispose();
            folder.Delete(recursive: true);
        }
    }

    private static async Task SwapAsync(string folder, string version, string text, DateTime written)
    {
        var file = Path.Combine(Directory.CreateDirectory(Path.Combine(folder, version)).FullName, Main);
        File.WriteAllText(file, text);
        File.SetLastWriteTimeUtc(file, written);
        var (link, data) = (Path.Combine(folder, "..data_tmp"), Path.Combine(folder, "..data"));
        File.CreateSymbolicLink(link, version);
        using var rename = Process.Start("mv", ["-T", link, data]); // rename(2); File.Move wants a file.
        await rename.WaitForExitAsync(Wait.Token());
        Assert.Equal(0, rename.ExitCode);
    }

    private static string Backends(IOptionsMonitor<StickyWsOptions> monitor)
        => string.Join(' ', monitor.CurrentValue.Pools.Values.SelectMany(pool => pool.Backends.Keys).Order(StringComparer.Ordinal));

    private void Damage(string path, string damage)
    {
        if (damage == Away) _files.Remove(path);
        else _files.Save(path, damage);
    }

    private IOptionsMonitor<StickyWsOptions> Start(params (string Path, string Text)[] files)
    {
        foreach (var (path, text) in files) _files.Save(path, text);
        return Start(_files, [.. files.Select(file => file.Path)]);
    }

    private IOptionsMonitor<StickyWsOptions> Start(IFileProvider provider, params string[] paths)
    {
        var builder = new ConfigurationBuilder();
        foreach (var path in paths)
        {
            builder.AddJsonFile(source =>
            {
                (source.FileProvider, source.Path, source.ReloadOnChange, source.ReloadDelay) = (provider, path, true, 0);
                _source(source);
            });
        }

        var configuration = builder.Build();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(_ => configuration);
        services.AddLogging(logging => logging.AddProvider(_log));
        services.AddStickyWebSocketBalancing(configuration.GetSection(StickyWsOptions.SectionName));
        _services = services.BuildServiceProvider();
        var monitor = _services.GetRequiredService<IOptionsMonitor<StickyWsOptions>>();
        _ = monitor.CurrentValue;
        monitor.OnChange((options, _) => _heard.Add(options));
        return monitor;
    }
}
