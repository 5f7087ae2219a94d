namespace StickyWs.Transport;

/// <summary>The client's side of an <see cref="AppConnection"/>: it feeds requests, and takes answers. Called from any thread.</summary>
internal interface IAppClient
{
    /// <summary>The server waits for more, and has used everything before that.</summary>
    /// <param name="taken">How many bytes it has used since the beginning.</param>
    void AppWaits(long taken);

    /// <summary>The server has broken the connection off.</summary>
    void AppBroke();
}
