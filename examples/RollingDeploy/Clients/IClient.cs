namespace StickyWs.Examples.RollingDeploy.Clients;

/// <summary>A client that stays connected and says one number after the other.</summary>
internal interface IClient
{
    /// <param name="pause">Waits between two messages; ends in an exception when it is time to stop.</param>
    /// <param name="stop">When it is time to stop.</param>
    Task RunAsync(Func<Task> pause, CancellationToken stop);
}
