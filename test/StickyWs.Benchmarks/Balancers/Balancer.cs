using System.Globalization;

namespace StickyWs.Benchmarks.Balancers;

/// <summary>A running balancer.</summary>
internal sealed class Balancer : IDisposable
{
    private readonly Child? _child;
    private readonly bool _isOurs;
    private Child? _companion;

    private Balancer(int port, int process, Child? child, bool isOurs)
    {
        (Port, _child, _isOurs) = (port, child, isOurs);
        Processes = new ProcessTree(process);
    }

    public int Port { get; }

    public ProcessTree Processes { get; }

    /// <summary>A role of this program.</summary>
    public static async Task<Balancer> StartOursAsync(params string[] role)
    {
        var child = await Child.StartBalancerAsync(role);
        return new Balancer(int.Parse(child.Greeting, CultureInfo.InvariantCulture), child.Id, child, isOurs: true);
    }

    /// <summary>A server that reads a configuration file.</summary>
    /// <param name="place">Where it stands.</param>
    /// <param name="configuration">The file's text, made of its own folder and a free port.</param>
    /// <param name="command">The command line without the file's path, which comes last.</param>
    public static async Task<Balancer> StartServerAsync(Place place, Func<string, int, string> configuration, params string[] command)
    {
        var folder = Directory.CreateTempSubdirectory("stickyws-peers-").FullName;
        var port = FreePort.Find();
        var file = Path.Combine(folder, "configuration");
        await File.WriteAllTextAsync(file, configuration(folder, port));
        var child = await Child.StartWatchedAsync(folder, [.. command, file]);
        try
        {
            await FreePort.WaitUntilServedAsync(port, place.Certificate is not null);
            return new Balancer(port, int.Parse(child.Greeting, CultureInfo.InvariantCulture), child, isOurs: false);
        }
        catch
        {
            child.Dispose();
            throw;
        }
    }

    /// <summary>No balancer: the backend itself.</summary>
    public static Balancer None(Child backend) => new(int.Parse(backend.Greeting, CultureInfo.InvariantCulture), backend.Id, child: null, isOurs: false);

    /// <summary>Collects garbage, where there is a collector.</summary>
    public Task CollectAsync() => _isOurs ? _child!.AskAsync("collect") : Task.CompletedTask;

    /// <summary>Has a role of this program do something.</summary>
    public Task<string> AskAsync(string command) => _child!.AskAsync(command);

    /// <summary>Has another role of this program run beside the load for as long as the balancer does; it is told the balancer's port.</summary>
    public async Task AccompanyAsync(string role)
    {
        try
        {
            _companion = await Child.StartEndAsync(role, Port.ToString(CultureInfo.InvariantCulture));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _companion?.Dispose();
        _child?.Dispose();
    }
}
