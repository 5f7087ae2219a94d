using Microsoft.Extensions.DependencyInjection;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

/// <summary>A shared store of pins that runs, and how an instance of the balancer is given it.</summary>
/// <param name="addTo">Adds an instance's own end of it to its services.</param>
/// <param name="stop">Ends it.</param>
internal sealed class SharedStore(Action<IServiceCollection> addTo, Func<ValueTask>? stop = null) : IAsyncDisposable
{
    public void AddTo(IServiceCollection services) => addTo(services);

    /// <summary>Another kind is one more line here, and its name in <see cref="StoreKind"/>.</summary>
    public static Task<SharedStore> StartAsync(StoreKind kind) => kind switch
    {
        StoreKind.Memory => Task.FromResult(Of(new MemoryPins())),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    public static SharedStore Of(MemoryPins pins) => new(services => services.AddSingleton(pins.Open()));

    public ValueTask DisposeAsync() => stop?.Invoke() ?? default;
}
